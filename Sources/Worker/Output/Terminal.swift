import CLinux
import Glibc

/// The terminal that results are shown in.
enum Terminal {
  /// Nil where standard output is no terminal and `COLUMNS` says nothing.
  static var columns: Int? {
    if let text = getenv("COLUMNS"), let columns = Int(String(cString: text)), columns > 0 { return columns }
    let columns = Int(terminal_columns(STDOUT_FILENO))
    return columns > 0 ? columns : nil
  }
}
