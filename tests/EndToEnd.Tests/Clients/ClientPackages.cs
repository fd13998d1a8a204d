using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Clients;

/// <summary>The packages that <c>eng/clients/build</c> makes of the contracts, built once.</summary>
public sealed class ClientPackages : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-client-packages-").FullName;

    /// <summary>The TypeScript compiler that built the packages.</summary>
    public static string Compiler => Path.Combine(Checkout.Root, "eng/clients/node_modules/typescript/bin/tsc");

    public async Task InitializeAsync()
    {
        if (NodeFactAttribute.Npm is not null)
        {
            await Tool.Run(Checkout.Root, "bash", ["eng/clients/build", _folder]);
        }
    }

    public void CopyTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var package in Directory.EnumerateFiles(_folder))
        {
            File.Copy(package, Path.Combine(folder, Path.GetFileName(package)));
        }
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }
}
