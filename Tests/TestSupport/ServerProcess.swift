import CLinux
import ClientRuntime
import Foundation
import Glibc

/// A server that a test starts for itself, to stop, freeze and kill it. It dies with the test process, however that ends.
package struct ServerProcess: Sendable {
  package let pid: pid_t
  private let ended = Locked<Int32?>(nil)

  /// Once it has ended: its exit code, or 128 and the signal that killed it.
  package var exitCode: Int32? { ended.withLock { $0 } }

  /// Runs `arguments[0]`, found on the PATH, with its output in `log`; as `user` where the tests run as root.
  package static func start(_ arguments: [String], user: String? = nil, log: String) async -> ServerProcess {
    var command = ["setpriv", "--pdeathsig", "KILL"]
    if let user, getuid() == 0 { command += ["--reuid", user, "--regid", user, "--init-groups"] }
    command += arguments
    // The kernel's signal at a parent's death follows the thread that forked: this one lives as long as the server, and reaps it.
    return await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "server", stackSize: 256 << 10) { [command] in
        let pid = Self.spawn(command, log: log)
        let process = ServerProcess(pid: pid)
        continuation.resume(returning: process)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        process.ended.withLock { $0 = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
      }
    }
  }

  /// Runs a command to its end; true where it ended with status 0.
  @discardableResult
  package static func run(_ arguments: [String], user: String? = nil, log: String = "/dev/null") async -> Bool {
    let prefix = user != nil && getuid() == 0 ? ["runuser", "-u", user!, "--"] : []
    return await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "command", stackSize: 256 << 10) {
        let pid = Self.spawn(prefix + arguments, log: log)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        continuation.resume(returning: status == 0)
      }
    }
  }

  package func signal(_ number: Int32) { kill(pid, number) }
  package func freeze() { signal(SIGSTOP) }
  package func thaw() { signal(SIGCONT) }

  package var isRunning: Bool { exitCode == nil }

  /// The most memory that it has had resident so far, in bytes; nil where it has ended.
  package var peakMemory: Int? {
    let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
  }

  /// Sends the signal and waits until the process is gone.
  package func end(_ number: Int32 = SIGTERM) async {
    signal(number)
    thaw()
    if await eventually(within: .seconds(20), { !isRunning }) { return }
    signal(SIGKILL)
    _ = await eventually { !isRunning }
  }

  private static func spawn(_ arguments: [String], log: String) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // Another test's pipe would not end before this process does.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Its own process group, the default action for the signals that a test's process ignores, and none blocked, as they are in this thread.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &words, environ)
    precondition(code == 0, "cannot start \(arguments[0]): errno \(code)")
    return pid
  }
}

/// A TCP port of 127.0.0.1 that was free a moment ago.
package func freePort() -> UInt16 {
  let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(listener) }
  bindLoopback(listener, port: 0)
  return localPort(of: listener)
}

/// A socket that listens on a free port of 127.0.0.1.
package func listenOnLoopback() -> (descriptor: Int32, port: UInt16) {
  let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  bindLoopback(listener, port: 0)
  listen(listener, 16)
  return (listener, localPort(of: listener))
}

/// A socket connected to a port of 127.0.0.1.
package func connectToLoopback(_ port: UInt16) -> Int32 {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  var address = loopback(port)
  let code = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
  }
  precondition(code == 0, "connect failed: errno \(errno)")
  return descriptor
}

func bindLoopback(_ descriptor: Int32, port: UInt16) {
  var address = loopback(port)
  let code = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
  }
  precondition(code == 0, "bind failed: errno \(errno)")
}

func localPort(of descriptor: Int32) -> UInt16 {
  var address = sockaddr_in()
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  _ = withUnsafeMutablePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
  }
  return UInt16(bigEndian: address.sin_port)
}

func loopback(_ port: UInt16) -> sockaddr_in {
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  return address
}
