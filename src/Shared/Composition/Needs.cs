namespace Bff.Composition;

/// <summary>Combines several parts that another part needs.</summary>
public static class Parts
{
    /// <summary>Combines two parts.</summary>
    public static Needs<TFirst, TSecond> All<TFirst, TSecond>(Part<TFirst> first, Part<TSecond> second) => new(first, second);

    /// <summary>Combines three parts.</summary>
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
