;; Takes memory until there is none.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (loop $again
      (drop (memory.grow (i32.const 16)))
      (br $again))))
