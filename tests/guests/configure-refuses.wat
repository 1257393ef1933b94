;; Takes no settings: one problem, with the key "weight" and the message "no".
(module
  ;; include memory
  ;; include judge
  (func $answer (param i64 i32 i32))
  (data (i32.const 128) "weightno")
  (data (i32.const 160) "\80\00\00\00\06\00\00\00\86\00\00\00\02\00\00\00")
  (data (i32.const 192) "\01\00\00\00\a0\00\00\00\01\00\00\00")
  (func (export "pointsman:policy/policy@0.1.0#configure") (param i32 i32 i32 i32) (result i32)
    (i32.const 192)))
