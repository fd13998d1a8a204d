namespace MobileBff.Features;

/// <summary>Converts the services' image paths into the app's own, in the size in which they are shown.</summary>
internal static class Images
{
    private const string Stored = "/media/large/";

    public static string? Avatar(string? path) => Sized(path, 96);

    public static string? Image(string? path) => Sized(path, 640);

    public static string? Thumb(string? path) => Sized(path, 160);

    private static string? Sized(string? path, int width) =>
        path is not null
        && path.StartsWith(Stored, StringComparison.Ordinal)
        && path.Length > Stored.Length
        && path.IndexOf('/', Stored.Length) < 0
        && path.AsSpan().IndexOfAny('?', '#') < 0
            ? $"/images/{path.AsSpan(Stored.Length)}?w={width}"
            : null;
}
