using System.Reflection;
using System.Runtime.Loader;

namespace Bff.UpstreamContracts.Declared;

/// <summary>A built host with its dependencies, loaded for inspection and never started.</summary>
internal sealed class LoadedHost : IDisposable
{
    private readonly Context _context;

    private LoadedHost(string path)
    {
        _context = new Context(path);
        Assembly = _context.LoadFromAssemblyPath(path);
    }

    public Assembly Assembly { get; }

    /// <exception cref="WrongInputException">There is no such file.</exception>
    public static LoadedHost Load(string path) =>
        File.Exists(path) ? new(Path.GetFullPath(path)) : throw new WrongInputException($"{path} does not exist. Build the host first.");

    public void Dispose() => _context.Unload();

    private sealed class Context(string path) : AssemblyLoadContext(Path.GetFileName(path), isCollectible: true)
    {
        private readonly AssemblyDependencyResolver _resolver = new(path);

        protected override Assembly? Load(AssemblyName assemblyName) =>
            _resolver.ResolveAssemblyToPath(assemblyName) is { } found ? LoadFromAssemblyPath(found) : null;
    }
}
