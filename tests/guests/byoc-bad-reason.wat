;; Refuses for a reason that is not in its plan.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (i32.store8 (i32.const 512) (i32.const 2))
    (i32.store16 (i32.const 520) (i32.const 403))
    (i32.store16 (i32.const 522) (i32.const 9))
    (i32.store (i32.const 524) (i32.const 600))
    (i32.store (i32.const 528) (i32.const 0))))
