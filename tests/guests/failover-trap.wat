;; Traps whatever it is asked.
(module
  ;; include memory
  ;; include plan
  ;; include failover
  (func $rescue (param $rows i32) (param $attempts i32) (param $count i32)
    unreachable)
  (func $wait (param $rows i32)
    unreachable)
  (func $haggle
    unreachable))
