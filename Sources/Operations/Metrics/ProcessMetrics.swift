import FoundationEssentials
import Glibc

/// What the kernel says of this process, by the names that every Prometheus client gives it.
package enum ProcessMetrics {
  package static func families() -> [any MetricFamily] {
    [
      Gauge("process_resident_memory_bytes", "Memory in use.") { value(residentBytes()) },
      Gauge("process_cpu_seconds_total", "Processor time used.") { value(processorSeconds()) },
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
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  private static func openDescriptors() -> Double? {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count) }
  }
}
