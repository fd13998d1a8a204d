using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Clients;

/// <summary>A folder outside the checkout that can use the tools of <c>eng/</c>.</summary>
internal sealed class Workshop : IDisposable
{
    public static string Root { get; } = Checkout.Root;

    public string Folder { get; } = Directory.CreateTempSubdirectory("bff-clients-").FullName;

    /// <summary>Installs what a tool's lock file names and returns the tool's folder under <c>eng/</c>.</summary>
    public static async Task<string> Install(string tool)
    {
        var folder = Path.Combine(Root, "eng", tool);
        var (wanted, installed) = (
            new FileInfo(Path.Combine(folder, "package-lock.json")),
            new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json"))
        );
        if (!installed.Exists || installed.LastWriteTimeUtc < wanted.LastWriteTimeUtc)
        {
            await Tool.Run(folder, NodeFactAttribute.Npm!, ["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
        }

        return folder;
    }

    public void Write(string name, string text) => File.WriteAllText(Path.Combine(Folder, name), text);

    public Task<string> Node(string[] arguments, params (string Name, string Value)[] environment) =>
        Tool.Run(Folder, NodeFactAttribute.Node!, arguments, environment);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
