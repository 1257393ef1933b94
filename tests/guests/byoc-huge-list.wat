;; Claims a list that is longer than its memory.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (i32.store8 (i32.const 512) (i32.const 1))
    (i32.store (i32.const 540) (i32.const 2048))
    (i32.store (i32.const 544) (i32.const 0x07ffffff))))
