;; Dot products of one query with many rows, 16 bytes at a time.
;; `dot-products.wasm` is this file, assembled by wabt; dot-products.test.ts compares them.
(module
  (import "rows" "memory" (memory 1))

  (func $total (param $numbers v128) (result i32)
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $numbers)) (i32x4.extract_lane 1 (local.get $numbers)))
      (i32.add (i32x4.extract_lane 2 (local.get $numbers)) (i32x4.extract_lane 3 (local.get $numbers)))))

  ;; Groups of 4 rows of 8-bit integers with a query of 16-bit integers: 16 numbers of each row, then the next 16 of each.
  ;; Writes one 32-bit integer per row. `bytes`, the length of a group, is a positive multiple of 64; at least one group.
  (func (export "int8") (param $row i32) (param $end i32) (param $bytes i32) (param $query i32) (param $out i32)
    (local $q i32) (local $stop i32) (local $q0 v128) (local $q8 v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)
    (loop $groups
      (local.set $sum0 (v128.const i64x2 0 0))
      (local.set $sum1 (v128.const i64x2 0 0))
      (local.set $sum2 (v128.const i64x2 0 0))
      (local.set $sum3 (v128.const i64x2 0 0))
      (local.set $q (local.get $query))
      (local.set $stop (i32.add (local.get $row) (local.get $bytes)))
      (loop $numbers
        (local.set $q0 (v128.load (local.get $q)))
        (local.set $q8 (v128.load offset=16 (local.get $q)))
        (local.set $sum0 (i32x4.add (local.get $sum0) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $q0) (v128.load8x8_s (local.get $row)))
          (i32x4.dot_i16x8_s (local.get $q8) (v128.load8x8_s offset=8 (local.get $row))))))
        (local.set $sum1 (i32x4.add (local.get $sum1) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $q0) (v128.load8x8_s offset=16 (local.get $row)))
          (i32x4.dot_i16x8_s (local.get $q8) (v128.load8x8_s offset=24 (local.get $row))))))
        (local.set $sum2 (i32x4.add (local.get $sum2) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $q0) (v128.load8x8_s offset=32 (local.get $row)))
          (i32x4.dot_i16x8_s (local.get $q8) (v128.load8x8_s offset=40 (local.get $row))))))
        (local.set $sum3 (i32x4.add (local.get $sum3) (i32x4.add
          (i32x4.dot_i16x8_s (local.get $q0) (v128.load8x8_s offset=48 (local.get $row)))
          (i32x4.dot_i16x8_s (local.get $q8) (v128.load8x8_s offset=56 (local.get $row))))))
        (local.set $q (i32.add (local.get $q) (i32.const 32)))
        (local.set $row (i32.add (local.get $row) (i32.const 64)))
        (br_if $numbers (i32.ne (local.get $row) (local.get $stop))))
      (i32.store (local.get $out) (call $total (local.get $sum0)))
      (i32.store offset=4 (local.get $out) (call $total (local.get $sum1)))
      (i32.store offset=8 (local.get $out) (call $total (local.get $sum2)))
      (i32.store offset=12 (local.get $out) (call $total (local.get $sum3)))
      (local.set $out (i32.add (local.get $out) (i32.const 16)))
      (br_if $groups (i32.ne (local.get $row) (local.get $end)))))

  ;; The rows at a list of addresses, of single-precision numbers like the query. Each address is replaced by its result.
  ;; `bytes`, the length of a row, is a positive multiple of 32; at least one address.
  (func (export "float32") (param $list i32) (param $listEnd i32) (param $bytes i32) (param $query i32)
    (local $row i32) (local $stop i32) (local $q i32) (local $low v128) (local $high v128)
    (loop $rows
      (local.set $low (v128.const i64x2 0 0))
      (local.set $high (v128.const i64x2 0 0))
      (local.set $q (local.get $query))
      (local.set $row (i32.load (local.get $list)))
      (local.set $stop (i32.add (local.get $row) (local.get $bytes)))
      (loop $numbers
        (local.set $low (f32x4.add (local.get $low)
          (f32x4.mul (v128.load (local.get $row)) (v128.load (local.get $q)))))
        (local.set $high (f32x4.add (local.get $high)
          (f32x4.mul (v128.load offset=16 (local.get $row)) (v128.load offset=16 (local.get $q)))))
        (local.set $q (i32.add (local.get $q) (i32.const 32)))
        (local.set $row (i32.add (local.get $row) (i32.const 32)))
        (br_if $numbers (i32.ne (local.get $row) (local.get $stop))))
      (local.set $low (f32x4.add (local.get $low) (local.get $high)))
      (f32.store (local.get $list)
        (f32.add
          (f32.add (f32x4.extract_lane 0 (local.get $low)) (f32x4.extract_lane 1 (local.get $low)))
          (f32.add (f32x4.extract_lane 2 (local.get $low)) (f32x4.extract_lane 3 (local.get $low)))))
      (local.set $list (i32.add (local.get $list) (i32.const 4)))
      (br_if $rows (i32.ne (local.get $list) (local.get $listEnd))))))
