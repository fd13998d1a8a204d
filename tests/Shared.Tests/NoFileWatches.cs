using System.Runtime.CompilerServices;

namespace Bff.Shared.Tests;

/// <summary>
/// Hosts made here do not watch their files, which none of the tests edits (what does adds a file of its own): each watch takes one of the
/// 128 that many machines give a user.
/// </summary>
internal static class NoFileWatches
{
#pragma warning disable CA2255 // Before any host is built, whichever test is the first.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Set() => Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
}
