import CLinux

/// What malloc has handed out and not got back, of the whole process: other tests' share comes and goes, a leak stays.
func allocatedBytes() -> Int {
  let info = mallinfo2()
  return Int(info.uordblks) + Int(info.hblkhd)
}
