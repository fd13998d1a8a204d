namespace Bff.Composition;

/// <summary>Says what a part needs where that is more than one other.</summary>
public static class Parts
{
    /// <summary>Both.</summary>
    public static Needs<TFirst, TSecond> All<TFirst, TSecond>(Part<TFirst> first, Part<TSecond> second) => new(first, second);

    /// <summary>All three.</summary>
    public static Needs<TFirst, TSecond, TThird> All<TFirst, TSecond, TThird>(
        Part<TFirst> first,
        Part<TSecond> second,
        Part<TThird> third
    ) => new(first, second, third);
}

/// <summary>Two parts that another one needs.</summary>
public readonly record struct Needs<TFirst, TSecond>(Part<TFirst> First, Part<TSecond> Second);

/// <summary>Three parts that another one needs.</summary>
public readonly record struct Needs<TFirst, TSecond, TThird>(Part<TFirst> First, Part<TSecond> Second, Part<TThird> Third);
