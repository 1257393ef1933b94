;; Names a row that does not remain.
(module
  ;; include memory
  ;; include plan
  ;; include failover
  (func $rescue (param $rows i32) (param $attempts i32) (param $count i32)
    (i32.store (i32.const 512) (i32.const 0))
    (i32.store8 (i32.const 516) (i32.const 2))
    (i32.store (i32.const 520) (local.get $rows)))
  (func $wait (param $rows i32)
    (i32.store8 (i32.const 544) (i32.const 2))
    (i32.store (i32.const 548) (local.get $rows)))
  (func $haggle
    (i32.store8 (i32.const 576) (i32.const 3))
    (i32.store (i32.const 580) (i32.const 1000))))
