using System.Net.Quic;
using Xunit;

namespace Bff.TestKit;

/// <summary>A test that needs the system's msquic; skipped with that reason if it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Http3FactAttribute : FactAttribute
{
    public Http3FactAttribute() =>
        Skip =
            (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows()) && QuicListener.IsSupported
                ? null
                : "msquic is not installed";
}
