namespace Bff.TestKit;

/// <summary>
/// The checkout that the tests were built from, or the copy of it that <c>BFF_CHECKOUT</c> names. Found from where they run: a build's
/// recorded source paths name no folder of this machine.
/// </summary>
public static class Checkout
{
    /// <summary>The folder that holds <c>Bff.sln</c>.</summary>
    public static string Root { get; } = Find();

    /// <summary>A file or folder of the checkout.</summary>
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
