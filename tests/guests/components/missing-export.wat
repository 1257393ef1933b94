;; Is a policy by name, but answers no question.
(component
  (instance $nothing)
  (export "pointsman:policy/policy@0.1.0" (instance $nothing)))
