;; Lets 65 orchestrators have it, each without a name.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store (i32.const 532) (i32.const 2048))
    (i32.store (i32.const 536) (i32.const 65))))
