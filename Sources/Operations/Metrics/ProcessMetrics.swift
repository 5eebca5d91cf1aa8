import Domain
import FoundationEssentials
import Glibc

/// What the kernel says of this process, by the names that every Prometheus client gives it.
package enum ProcessMetrics {
  private static let started = Double(Timestamp.now.microseconds) / 1e6

  package static func families() -> [any MetricFamily] {
    [
      Gauge("process_resident_memory_bytes", "Memory in use.") { value(residentBytes()) },
      ReadCounter("process_cpu_seconds_total", "Processor time used.") { processorSeconds() },
      Gauge("process_start_time_seconds", "When the process started, in seconds since 1970.") { [started] in value(started) },
      Gauge("process_open_fds", "Open file descriptors.") { value(openDescriptors()) },
    ]
  }

  private static func value(_ value: Double?) -> [(pairs: [(name: String, value: String)], value: Double)] { value.map { [([], $0)] } ?? [] }

  private static func residentBytes() -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) }
    return pages.map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
  }

  private static func processorSeconds() -> Double? {
    guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else { return nil }
    // Behind the name in brackets: state, and from there utime and stime are the 12th and 13th.
    let fields = text[end...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return nil }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static func openDescriptors() -> Double? {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count) }
  }
}
