;; A failure rests its orchestrator a second and goes to row 1; slowness is doubled on row 0; a new price is accepted.
(module
  ;; include memory
  ;; include plan
  ;; include failover
  (func $rescue (param $rows i32) (param $attempts i32) (param $count i32)
    (i32.store (i32.const 512) (i32.const 1000))
    (i32.store8 (i32.const 516) (i32.const 2))
    (i32.store (i32.const 520) (i32.const 1)))
  (func $wait (param $rows i32)
    (i32.store8 (i32.const 544) (i32.const 2))
    (i32.store (i32.const 548) (i32.const 0)))
  (func $haggle
    (i32.store8 (i32.const 576) (i32.const 1))))
