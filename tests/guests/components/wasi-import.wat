;; Wants to know the time from WASI.
(component
  (import "wasi:clocks/wall-clock@0.2.6" (instance))
  (instance $nothing)
  (export "pointsman:policy/policy@0.1.0" (instance $nothing))
  (export "pointsman:policy/selection@0.1.0" (instance $nothing)))
