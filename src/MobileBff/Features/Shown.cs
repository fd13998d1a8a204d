namespace MobileBff.Features;

/// <summary>What the app is shown of a service's list.</summary>
internal static class Shown
{
    /// <summary>The first items, each in the app's shape; a list of LINQ would cost four more objects.</summary>
    public static T[] First<TItem, T>(int count, IReadOnlyList<TItem> items, Func<TItem, T> project)
    {
        var shown = new T[Math.Min(count, items.Count)];
        for (var i = 0; i < shown.Length; i++)
        {
            shown[i] = project(items[i]);
        }

        return shown;
    }
}
