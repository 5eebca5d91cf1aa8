import Application
import Crypto

extension Fingerprint {
  /// SHA-256 of these bytes.
  package init(of bytes: some Collection<UInt8>) {
    var hash = SHA256()
    if bytes.withContiguousStorageIfAvailable({ hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }) == nil {
      Array(bytes).withUnsafeBytes { hash.update(bufferPointer: $0) }
    }
    self.init(Array(hash.finalize()))
  }
}
