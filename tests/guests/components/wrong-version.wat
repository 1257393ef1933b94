;; Is built against a version of the contract that this host does not speak.
(component
  (instance $nothing)
  (export "pointsman:policy/policy@0.1.0" (instance $nothing))
  (export "pointsman:policy/selection@0.9.0" (instance $nothing)))
