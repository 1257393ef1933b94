;; Calls itself without end.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (call $answer (local.get $seed) (local.get $rows) (local.get $values))
    (i32.store8 (i32.const 512) (i32.const 0))))
