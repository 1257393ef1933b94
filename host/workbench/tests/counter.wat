;; Hedges one ms later at every question: what it answers depends on how often it was asked.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (global $count (mut i32) (i32.const 1))
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store8 (i32.const 512) (i32.const 4))
    (i32.store (i32.const 516) (global.get $count))))
