;; Halves the time that is left, pays at most 2 wei, and names "gpu".
(module
  ;; include memory
  ;; include plan
  ;; include route
  (data (i32.const 600) "gpu")
  (func $route (param $asked i32)
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store8 (i32.const 520) (i32.const 1))
    (i32.store (i32.const 524) (i32.const 600))
    (i32.store (i32.const 528) (i32.const 3))
    (i32.store8 (i32.const 552) (i32.const 1))
    (i64.store (i32.const 560) (i64.const 2))
    (i64.store (i32.const 568) (i64.const 1))
    (i32.store8 (i32.const 576) (i32.const 1))
    (i32.store (i32.const 580)
      (i32.shr_u (i32.load offset=48 (local.get $asked)) (i32.const 1)))))
