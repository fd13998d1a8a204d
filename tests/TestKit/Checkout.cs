namespace Bff.TestKit;

/// <summary>
/// The checkout that the tests were built from, or the copy of it in <c>BFF_CHECKOUT</c>. Found from the tests' location, because the
/// source paths recorded in a build do not name folders of this machine.
/// </summary>
public static class Checkout
{
    /// <summary>The folder with <c>Bff.sln</c>.</summary>
    public static string Root { get; } = Find();

    /// <summary>Returns the path of a file or folder of the checkout.</summary>
    public static string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("BFF_CHECKOUT") is { Length: > 0 } copy)
        {
            return copy;
        }

        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Bff.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Bff.sln is not above the tests.");
        }

        return folder.FullName;
    }
}
