import CPostgres
import CTLS
import ClientRuntime

/// Owns one libpq connection in non-blocking mode; confined to the client's thread.
final class PostgresConnection {
  let handle: OpaquePointer
  /// Set once the connection cannot be used any more; it is then closed and made anew.
  private(set) var failure: String?
  let notices: NoticeCollector
  var prepared: [String: Statement] = [:]
  private let mailbox: Mailbox<Job>

  /// Connects to the first host that accepts writes, from the one at `first` on; `host` is its place in the configuration.
  static func open(
    _ configuration: PostgresConfiguration, first: Int, mailbox: Mailbox<Job>
  ) throws(PostgresError) -> (connection: PostgresConnection, host: Int) {
    var reasons: [String] = []
    let count = configuration.hosts.count
    for host in (0..<count).map({ (first + $0) % count }) {
      do throws(PostgresError) {
        return (try open(configuration.hosts[host], by: .after(configuration.connectTimeout), mailbox), host)
      } catch {
        if mailbox.isClosing { throw error }
        if case .unavailable(let reason) = error { reasons.append(reason) }
      }
    }
    throw .unavailable(reasons.joined(separator: "; "))
  }

  /// Tries each of a host's addresses.
  private static func open(
    _ host: [(keyword: String, value: String)], by deadline: Deadline, _ mailbox: Mailbox<Job>
  ) throws(PostgresError) -> PostgresConnection {
    var reason = ""
    let variants = try withAddresses(host, deadline, mailbox)
    for (index, parameters) in variants.enumerated() {
      do throws(PostgresError) {
        let connection = try PostgresConnection(starting: parameters, mailbox: mailbox)
        // One that swallows everything leaves time for the others.
        try connection.finishConnecting(by: .after(deadline.remaining / (variants.count - index)))
        return connection
      } catch {
        guard case .unavailable(let why) = error, !mailbox.isClosing else { throw error }
        reason = why
      }
    }
    throw .unavailable(reason)
  }

  /// The host's parameters, once for each of its addresses: libpq itself would wait for a name server as long as that takes.
  private static func withAddresses(
    _ host: [(keyword: String, value: String)], _ deadline: Deadline, _ mailbox: Mailbox<Job>
  ) throws(PostgresError) -> [[(keyword: String, value: String)]] {
    func value(_ keyword: String) -> String? { host.first { $0.keyword == keyword && !$0.value.isEmpty }?.value }
    // A path is that of a socket in the file system.
    guard let name = value("host"), value("hostaddr") == nil, !name.hasPrefix("/"), !name.hasPrefix("@") else { return [host] }
    let answer = HostLookup.system.addresses(of: name, until: deadline, wakeup: mailbox.wakeup) {
      mailbox.failOverdueJobs()
      return mailbox.isClosing
    }
    switch answer {
    case nil: throw .unavailable(mailbox.isClosing ? "the client is closed" : "\(name) was not resolved within the connect timeout")
    case .failure(let reason): throw .unavailable(reason)
    case .addresses(let addresses): return addresses.map { address in host.filter { $0.keyword != "hostaddr" } + [("hostaddr", address)] }
    }
  }

  private init(starting parameters: [(keyword: String, value: String)], mailbox: Mailbox<Job>) throws(PostgresError) {
    let handle = withCStrings(parameters.map(\.keyword)) { keywords in
      withCStrings(parameters.map(\.value)) { values in PQconnectStartParams(keywords, values, 0) }
    }
    guard let handle else { throw .unavailable("out of memory") }
    self.handle = handle
    self.mailbox = mailbox
    notices = NoticeCollector()
    notices.attach(to: handle)
  }

  deinit { PQfinish(handle) }

  var socket: Int32 { PQsocket(handle) }

  /// Such as `PostgreSQL 15.13 (TLSv1.3) at db1:5432`; without the parentheses nothing is encrypted.
  var server: String { "PostgreSQL \((parameter("server_version") ?? "").prefix { !$0.isWhitespace })\(encryption) at \(host)" }

  /// Whether one of these settings of the session, as the server tells of them, is on.
  func isOn(_ settings: [String]) -> Bool { settings.contains { parameter($0) == "on" } }

  private func parameter(_ name: String) -> String? { PQparameterStatus(handle, name).map { String(cString: $0) } }

  private func finishConnecting(by deadline: Deadline) throws(PostgresError) {
    // libpq says of a certificate only that it is not good, and has thrown away what OpenSSL knows of it by then.
    var held: UnsafeMutableRawPointer?
    defer { tls_release(held) }
    guard PQstatus(handle) != CONNECTION_BAD else { throw .unavailable(lastError) }
    var state = PGRES_POLLING_WRITING
    while state != PGRES_POLLING_OK {
      if state == PGRES_POLLING_FAILED { throw .unavailable(complaint(about: held) ?? lastError) }
      let writing = state == PGRES_POLLING_WRITING
      repeat {
        guard let ready = wait(wantsWrite: writing, until: deadline, stopsOnClose: true) else {
          throw .unavailable(mailbox.isClosing ? "the client is closed" : "no answer from \(host) within the connect timeout")
        }
        // Readable while it should become writable is an error, which libpq will find.
        if ready.socketReadable || writing { break }
      } while true
      if let ssl, ssl != held {
        tls_release(held)
        held = tls_hold(ssl)
      }
      state = PQconnectPoll(handle)
    }
    guard PQsetnonblocking(handle, 1) == 0 else { throw .unavailable(lastError) }
  }

  var host: String {
    guard let name = PQhost(handle).map({ String(cString: $0) }), !name.isEmpty else { return "the server" }
    return PQport(handle).map { "\(name):\(String(cString: $0))" } ?? name
  }

  /// Waits for the socket; nil when the deadline has passed. Jobs whose own deadline passes meanwhile are failed on the way.
  func wait(wantsWrite: Bool, until deadline: Deadline, stopsOnClose: Bool = false) -> PollResult? {
    // Nor does `poll` tell of what OpenSSL has read and libpq had no room for.
    if tls_has_pending(ssl) && !deadline.hasPassed { return PollResult(socketReadable: true) }
    return mailbox.wait(
      socket: socket, wantsWrite: wantsWrite, until: deadline, isOver: { stopsOnClose && mailbox.isClosing }, look: mailbox.failOverdueJobs)
  }

  /// Takes in what the server says while nothing is asked of it; false once the connection is gone.
  func readWhileIdle() -> Bool {
    guard PQconsumeInput(handle) == 1 else {
      fail(notices.lastFatal ?? lastError)
      return false
    }
    while let notification = PQnotifies(handle) { PQfreemem(notification) }
    return PQstatus(handle) == CONNECTION_OK
  }

  func fail(_ reason: String) { if failure == nil { failure = reason } }

  var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }

  /// libpq's last message, on one line.
  var lastError: String {
    let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.isEmpty ? "the connection failed" : line
  }
}

extension Mailbox<Job> {
  func failOverdueJobs() {
    for job in takeOverdue() { job.fail(.unavailable("the job's turn did not come before its deadline")) }
  }
}

/// Lends an array of C strings that ends in NULL.
private func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
  var bytes: [CChar] = []
  var starts: [Int] = []
  for string in strings {
    starts.append(bytes.count)
    bytes.append(contentsOf: string.utf8CString)
  }
  return bytes.withUnsafeBufferPointer { buffer in
    var pointers: [UnsafePointer<CChar>?] = starts.map { buffer.baseAddress! + $0 }
    pointers.append(nil)
    return body(pointers)
  }
}
