;; Hands over a list that is longer than its memory.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (i32.store8 (i32.const 512) (i32.const 2))
    (i32.store (i32.const 524) (i32.const 4096))
    (i32.store (i32.const 528) (i32.const 0x10000000))))
