namespace MobileBff.Features;

/// <summary>Converts a service's list into the part of it that the app shows.</summary>
internal static class Shown
{
    /// <summary>Returns the first items in the app's shape. LINQ would allocate four more objects.</summary>
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
