;; Names a capability that is not UTF-8.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (i32.store (i32.const 600) (i32.const 0xffffffff))
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store8 (i32.const 520) (i32.const 1))
    (i32.store (i32.const 524) (i32.const 600))
    (i32.store (i32.const 528) (i32.const 4))))
