;; Waits as many ms before it tries the same again as the number of the last failure's kind.
(module
  ;; include memory
  ;; include plan
  ;; include failover
  (func $rescue (param $rows i32) (param $attempts i32) (param $count i32)
    ;; An attempt has 48 bytes; its failure begins at 32, the kind at 34.
    (i32.store (i32.const 512) (i32.const 0))
    (i32.store8 (i32.const 516) (i32.const 1))
    (i32.store (i32.const 520)
      (i32.load16_u offset=34
        (i32.add (local.get $attempts)
          (i32.mul (i32.sub (local.get $count) (i32.const 1)) (i32.const 48))))))
  (func $wait (param $rows i32)
    (i32.store8 (i32.const 544) (i32.const 0)))
  (func $haggle
    (i32.store8 (i32.const 576) (i32.const 0))))
