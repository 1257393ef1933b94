;; Remembers how often it was asked, and takes a millisecond off for each.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (i32.store (i32.const 700)
      (i32.add (i32.load (i32.const 700)) (i32.const 1)))
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store8 (i32.const 576) (i32.const 1))
    (i32.store (i32.const 580)
      (i32.sub (i32.load offset=48 (local.get $asked)) (i32.load (i32.const 700))))))
