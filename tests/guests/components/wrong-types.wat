;; Has the right names, and functions of other types behind them.
(component
  (core module $code
    (func (export "judge") (result i32) (i32.const 7)))
  (core instance $code (instantiate $code))
  (func $judge (result u32) (canon lift (core func $code "judge")))
  (instance $selection (export "judge" (func $judge)))
  (instance $policy (export "describe" (func $judge)) (export "configure" (func $judge)))
  (export "pointsman:policy/policy@0.1.0" (instance $policy))
  (export "pointsman:policy/selection@0.1.0" (instance $selection)))
