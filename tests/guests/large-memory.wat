;; Wants 32 MiB from the start.
(module
  (memory (export "memory") 512)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "pointsman:policy/policy@0.1.0#describe") (result i32) (i32.const 32))
  (func (export "pointsman:policy/policy@0.1.0#configure") (param i32 i32 i32 i32) (result i32) (i32.const 192))
  (func (export "pointsman:policy/selection@0.1.0#judge")
    (param i64 i64 i64 i64 i64 i64 i32 i64 i32 i32 i32 i32 i32) (result i32)
    (i32.const 512)))
