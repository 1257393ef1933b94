;; Gives every row the score 2.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (call $fill (f64.const 2) (local.get $rows)))
  (func $fill (param $score f64) (param $rows i32)
    (local $row i32)
    (i32.store8 (i32.const 512) (i32.const 2))
    (i32.store (i32.const 524) (i32.const 1024))
    (i32.store (i32.const 528) (local.get $rows))
    (loop $next
      (f64.store
        (i32.add (i32.const 1024) (i32.shl (local.get $row) (i32.const 3)))
        (local.get $score))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $row) (local.get $rows))))))
