;; Grows its memory without end.
(module
  ;; include memory
  ;; include plan
  ;; include route
  (func $route (param $asked i32)
    (loop $again
      (drop (memory.grow (i32.const 16)))
      (br $again))))
