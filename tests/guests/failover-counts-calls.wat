;; Remembers how often it was asked: it rests or waits as many ms, and takes every second new price.
(module
  ;; include memory
  ;; include plan
  ;; include failover
  (func $count (result i32)
    (i32.store (i32.const 700) (i32.add (i32.load (i32.const 700)) (i32.const 1)))
    (i32.load (i32.const 700)))
  (func $rescue (param $rows i32) (param $attempts i32) (param $count i32)
    (i32.store (i32.const 512) (call $count))
    (i32.store8 (i32.const 516) (i32.const 0)))
  (func $wait (param $rows i32)
    (i32.store8 (i32.const 544) (i32.const 1))
    (i32.store (i32.const 548) (call $count)))
  (func $haggle
    (i32.store8 (i32.const 576)
      (i32.add (i32.const 1) (i32.and (call $count) (i32.const 1))))))
