;; The score of a row is its latency over a second.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (local $row i32)
    (i32.store8 (i32.const 512) (i32.const 2))
    (i32.store (i32.const 516) (i32.const 0))
    (i32.store (i32.const 520) (i32.const 0))
    ;; In place: the column was copied for this call.
    (i32.store (i32.const 524) (local.get $values))
    (i32.store (i32.const 528) (local.get $rows))
    (loop $next
      (f64.store
        (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3)))
        (f64.div
          (f64.load (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3))))
          (f64.const 1000)))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $row) (local.get $rows))))))
