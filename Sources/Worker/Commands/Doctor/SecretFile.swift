import Glibc

/// A file that a secret is in, and who may read it.
struct SecretFile: Sendable, Equatable {
  /// By which setting it is known, or what is in it.
  let name: String
  let path: String
  /// The permission bits; nil where the file cannot be asked.
  let mode: UInt32?

  init(name: String, path: String, mode: UInt32?) {
    self.name = name
    self.path = path
    self.mode = mode
  }

  init(name: String, path: String) {
    var status = stat()
    self.init(name: name, path: path, mode: stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil)
  }

  static func judge(_ files: [SecretFile]) -> [Finding] {
    files.flatMap { file in
      var list = FindingList(.files, at: file.path)
      switch file.mode {
      case nil:
        list.problem(
          "secret", "\(file.name): it is not there, or cannot be seen by this user", mend: "correct \(file.name), or the rights on the folders above")
      case let mode? where mode & 0o004 != 0:
        list.warning(
          "secret", "\(file.name): everybody on this machine may read it", mend: "`chmod o-rwx \(file.path.shellWord)`; in Kubernetes `defaultMode: 0440`")
      case let mode? where mode & 0o002 != 0:
        list.warning("secret", "\(file.name): everybody on this machine may change it", mend: "`chmod o-rwx \(file.path.shellWord)`")
      default: list.ok("secret", "\(file.name): only its owner and group may read it")
      }
      return list.all
    }
  }
}
