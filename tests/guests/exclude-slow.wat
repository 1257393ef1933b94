;; Excludes rows slower than 500 ms, for the cause that shows their latency.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (local $row i32)
    (local $at i32)
    (local $latency f64)
    (local.set $at (i32.const 8192))
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store (i32.const 516) (local.get $at))
    (loop $next
      (local.set $latency
        (f64.load (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3)))))
      (if (f64.gt (local.get $latency) (f64.const 500))
        (then
          (i32.store (local.get $at) (local.get $row))
          (i32.store16 offset=4 (local.get $at) (i32.const 1))
          (f64.store offset=8 (local.get $at) (local.get $latency))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $row) (local.get $rows))))
    (i32.store (i32.const 520)
      (i32.shr_u (i32.sub (local.get $at) (i32.const 8192)) (i32.const 4)))))
