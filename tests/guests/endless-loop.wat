;; Never answers.
(module
  ;; include memory
  ;; include plan
  ;; include judge
  (func $answer (param $seed i64) (param $rows i32) (param $values i32)
    (loop $again (br $again))))
