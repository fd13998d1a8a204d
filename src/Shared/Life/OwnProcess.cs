using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Life;

/// <summary>
/// What a process that is a gateway and nothing else does differently from .NET's defaults: whatever a socket completes goes on where it completed, without being
/// handed to another thread. Nothing on a request's way blocks, which is what makes that safe; decoding pictures has threads of its own. Figures: <c>docs/performance.md</c>.
/// A host inside another process, such as a test, is left alone.
/// </summary>
internal static class OwnProcess
{
    /// <summary>Read by the runtime when the first socket waits (dotnet/runtime, SocketAsyncEngine.Unix.cs).</summary>
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Sets what can be set from inside; the rest is in <c>src/Directory.Build.props</c>, where the build reads it. What the environment says wins.</summary>
    public static void Settle(WebApplicationBuilder builder)
    {
        if (Assembly.GetEntryAssembly()?.GetName().Name != builder.Environment.ApplicationName)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }

        if (Environment.GetEnvironmentVariable(InlineCompletions) == "1")
        {
            builder.Services.Configure<SocketTransportOptions>(static sockets => sockets.UnsafePreferInlineScheduling = true);
        }
    }
}
