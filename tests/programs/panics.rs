// A library that ends the process in Rust's own ways; what it says of that on standard error is
// what the test compares with.
use std::hint::black_box;

#[no_mangle]
pub extern "C" fn bounds(n: usize) -> u64 {
    let v = vec![1u64, 2, 3];
    v[black_box(n)] + 1
}

#[no_mangle]
pub extern "C" fn unwraps(n: usize) -> u64 {
    let r: Result<u64, String> = Err(format!("no such thing: {}", n));
    black_box(r).unwrap()
}

#[no_mangle]
pub extern "C" fn expects(n: usize) -> u64 {
    let o: Option<u64> = if black_box(n) == 0 { Some(1) } else { None };
    o.expect("nothing was there")
}

#[no_mangle]
pub extern "C" fn said(n: usize) -> u64 {
    if black_box(n) != 0 {
        panic!("it was not to be");
    }
    1
}

#[no_mangle]
pub extern "C" fn aborts(_: usize) -> u64 {
    std::process::abort()
}
