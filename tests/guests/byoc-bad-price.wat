;; Asks for a price by no unit.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store8 (i32.const 552) (i32.const 1))
    (i64.store (i32.const 560) (i64.const 7))
    (i64.store (i32.const 568) (i64.const 0))))
