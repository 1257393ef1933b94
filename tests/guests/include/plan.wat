  (data (i32.const 128) "latency-ms/p50becauseslow")
  ;; At 160 the list of columns, at 168 the list of causes, at 192 the answer: ok, columns, no facts, causes.
  (data (i32.const 160) "\80\00\00\00\0e\00\00\00")
  (data (i32.const 168) "\8e\00\00\00\07\00\00\00\00\00\00\00\95\00\00\00\04\00\00\00\01\00\00\00")
  (data (i32.const 192) "\00\00\00\00\a0\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\a8\00\00\00\02\00\00\00")
  (func (export "pointsman:policy/policy@0.1.0#configure") (param i32 i32 i32 i32) (result i32)
    (i32.const 192))
