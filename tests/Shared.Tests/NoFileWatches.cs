using System.Runtime.CompilerServices;

namespace Bff.Shared.Tests;

/// <summary>
/// Turns off file watches in the hosts of these tests, because each watch takes one of the 128 that many machines allow per user. No test
/// edits a host's own files: a test of reloading adds a file of its own.
/// </summary>
internal static class NoFileWatches
{
#pragma warning disable CA2255 // The initializer must run before any host is built, whichever test comes first.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Set() => Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
}
