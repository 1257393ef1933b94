;; Never ends.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (loop $again
      (br $again))))
