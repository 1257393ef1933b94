;; Has no opinion.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (i32.store8 (i32.const 512) (i32.const 0))))
