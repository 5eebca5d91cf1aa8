import Glibc

/// A PostgreSQL primary and its synchronous standby, of a test's own: a commit that the primary answers is on both.
package actor PostgresPair {
  private static let standbyName = "pair"
  private static let programs = ["17", "16", "15", "14"].lazy.map { "/usr/lib/postgresql/\($0)/bin" }.first { access("\($0)/pg_basebackup", X_OK) == 0 }

  private let primary: PrivatePostgres
  private let standby: PrivatePostgres
  private var primaryProcess: ServerProcess
  private var standbyProcess: ServerProcess

  package static var isInstalled: Bool { programs != nil }

  /// Returns when the standby follows; nil where it does not in time.
  package static func start() async -> PostgresPair? {
    guard let programs else { return nil }
    let settings = ["wal_level=replica", "synchronous_standby_names=\(standbyName)", "max_connections=100"]
    guard let (primary, process) = await PrivatePostgres.start(settings: settings) else { return nil }
    // The shorter it waits for a primary that is gone, the sooner it is promoted.
    let standby = PrivatePostgres(settings: ["max_connections=100", "wal_retrieve_retry_interval=100ms"])
    let source = "host=127.0.0.1 port=\(primary.port) user=orders application_name=\(standbyName)"
    let copy = ["\(programs)/pg_basebackup", "-D", standby.folder, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync"]
    let copied = await eventually {
      if await ServerProcess.run(copy, user: PrivatePostgres.user) { return true }
      await standby.remove()
      return false
    }
    let pair = PostgresPair(primary: primary, standby: standby, primaryProcess: process, standbyProcess: await standby.start())
    guard copied, await pair.isInStep() else {
      await pair.remove()
      return nil
    }
    return pair
  }

  private init(primary: PrivatePostgres, standby: PrivatePostgres, primaryProcess: ServerProcess, standbyProcess: ServerProcess) {
    self.primary = primary
    self.standby = standby
    self.primaryProcess = primaryProcess
    self.standbyProcess = standbyProcess
  }

  /// Both hosts in one URL.
  package nonisolated var url: String { "postgres://orders@127.0.0.1:\(primary.port),127.0.0.1:\(standby.port)/postgres" }
  package nonisolated var standbyPort: UInt16 { standby.port }

  /// Whether the primary waits for the standby with its commits.
  private func isInStep() async -> Bool {
    await eventually(within: .seconds(60)) { await asks(primary, "SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") }
  }

  /// Whether the query goes without an error.
  private func asks(_ server: PrivatePostgres, _ query: String) async -> Bool {
    await ServerProcess.run(["\(Self.programs!)/psql", "-XqAt", "-d", server.url, "-c", query], user: PrivatePostgres.user)
  }

  /// `kill -9` of the primary, which does not come back.
  package func killPrimary() async { await primaryProcess.end(SIGKILL) }

  /// True once the standby takes writes.
  package func promote() async -> Bool {
    await ServerProcess.run(["\(Self.programs!)/pg_ctl", "promote", "-w", "-D", standby.folder], user: PrivatePostgres.user)
  }

  /// Cuts the standby off, which the primary's commits then wait for; true once that is so.
  package func detachStandby() async -> Bool {
    let words = ["-c", "ALTER SYSTEM SET primary_conninfo = ''", "-c", "SELECT pg_reload_conf()"]
    guard await ServerProcess.run(["\(Self.programs!)/psql", "-XqAt", "-d", standby.url] + words, user: PrivatePostgres.user) else { return false }
    return await eventually { await asks(primary, "SELECT 1 / (count(*) = 0)::int FROM pg_stat_replication") }
  }

  package func remove() async {
    for process in [primaryProcess, standbyProcess] { await process.end(SIGKILL) }
    for server in [primary, standby] { await server.remove() }
  }
}
