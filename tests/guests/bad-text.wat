;; Refuses with a message that is not UTF-8.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (i32.store (i32.const 600) (i32.const 0xffffffff))
    (i32.store8 (i32.const 512) (i32.const 5))
    (i32.store16 (i32.const 516) (i32.const 503))
    (i32.store16 (i32.const 518) (i32.const 0))
    (i32.store (i32.const 520) (i32.const 600))
    (i32.store (i32.const 524) (i32.const 4))))
