;; Remembers how often it was asked, and answers with that as the hedge delay.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (i32.store (i32.const 700)
      (i32.add (i32.load (i32.const 700)) (i32.const 1)))
    (i32.store8 (i32.const 512) (i32.const 4))
    (i32.store (i32.const 516) (i32.load (i32.const 700)))))
