;; Traps when the seed is odd, has no opinion when it is even.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (if (i64.ne (i64.and (local.get $seed) (i64.const 1)) (i64.const 0)) (then unreachable))
    (i32.store8 (i32.const 512) (i32.const 0))))
